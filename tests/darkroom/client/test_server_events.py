"""Reading server-sent events."""

from darkroom.client.server_events import ServerEvent, read_events


def test_events_are_separated_by_empty_lines_and_comments_are_skipped() -> None:
    lines = ["event: queued", 'data: {"a":', "data: 1}", "id: 1-0", "", ": ping", "", "data:plain", ""]

    assert list(read_events(lines)) == [
        ServerEvent("queued", '{"a":\n1}', "1-0"),
        ServerEvent("message", "plain", "1-0"),
    ]


def test_an_event_that_is_cut_off_is_dropped() -> None:
    assert list(read_events(["event: step", "data: {}"])) == []
