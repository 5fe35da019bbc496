"""What is shown, and what is kept in files."""

import io
from pathlib import Path

from darkroom.local.demo.step_display import plain_lines, step_display
from darkroom.local.processes.output import LogFiles, Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_each_line_has_the_name_of_its_part() -> None:
    stream = io.StringIO()

    Terminal(stream, {}).show("gpu", "step 1")

    assert stream.getvalue() == "gpu    | step 1\n"


def test_names_have_colours_on_a_terminal_unless_they_are_not_wanted() -> None:
    coloured, plain = Screen(), Screen()

    Terminal(coloured, {}).show("gpu", "step 1")
    Terminal(plain, {"NO_COLOR": "1"}).show("gpu", "step 1")

    assert coloured.getvalue() == "\x1b[36mgpu    |\x1b[0m step 1\n"
    assert "\x1b" not in plain.getvalue()


def test_a_pipe_that_nobody_reads_any_more_is_no_trouble() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream, {})

    stream.close()

    terminal.show("gpu", "step 1")


def test_log_files_outlive_a_restart(tmp_path: Path) -> None:
    for line in ("first", "second"):
        files = LogFiles(tmp_path / "logs", ("gpu",))
        files.write("gpu", line)
        files.close()

    assert (tmp_path / "logs" / "gpu.log").read_text() == "first\nsecond\n"


def test_many_steps_make_about_ten_plain_lines() -> None:
    stream = io.StringIO()
    on_step = plain_lines(stream)

    for step in range(1, 51):
        on_step(step, 50)

    assert stream.getvalue().splitlines()[:2] == ["  step 1 of 50", "  step 5 of 50"]
    assert stream.getvalue().splitlines()[-1] == "  step 50 of 50"
    assert len(stream.getvalue().splitlines()) == 11


def test_a_terminal_gets_a_bar_and_its_cursor_back() -> None:
    screen = Screen()

    with step_display(screen) as on_step:
        on_step(3, 7)

    assert "3/7" in screen.getvalue()
    assert screen.getvalue().rstrip().endswith("\x1b[?25h")
