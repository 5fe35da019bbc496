"""Every error code a client can meet, with its status and meaning. The one place where errors meet HTTP."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class ErrorCode(NamedTuple):
    status: int
    meaning: str


# Tests check that no error of the tree and no fault of a request is missing, and that docs/api.md lists them all.
ERROR_CODES: Mapping[str, ErrorCode] = {
    "malformed_json": ErrorCode(400, "The body is not JSON in UTF-8."),
    "malformed_range": ErrorCode(400, "The Range header cannot be read."),
    "malformed_form": ErrorCode(400, "The form cannot be read, or has more than one file."),
    "unauthorized": ErrorCode(401, "The API key is missing or unknown."),
    "key_expired": ErrorCode(401, "The API key was right, and its time is over."),
    "key_revoked": ErrorCode(401, "The API key was right, and was revoked."),
    "priority_not_allowed": ErrorCode(403, "The key may ask for bulk jobs alone."),
    "model_not_allowed": ErrorCode(403, "The key may not use the model; those that it may are listed."),
    "operators_only": ErrorCode(403, "The key is not an operator's."),
    "untrusted_origin": ErrorCode(403, "Without API keys, web pages of other origins may not change anything."),
    "link_forged": ErrorCode(403, "The signed link was not made here, or was changed."),
    "not_found": ErrorCode(404, "There is no such route."),
    "unknown_model": ErrorCode(404, "The catalogue has no such model; the known ones are listed."),
    "unknown_job": ErrorCode(404, "There is no such job, it was deleted, or it belongs to another key."),
    "unknown_image": ErrorCode(404, "There is no such image, or not yet."),
    "unknown_upload": ErrorCode(404, "There is no such upload, it has expired, or it belongs to another key."),
    "unknown_webhook": ErrorCode(404, "The job owes no webhook for this event, or not yet."),
    "object_missing": ErrorCode(404, "The link is right, but its image was deleted."),
    "method_not_allowed": ErrorCode(405, "The route exists, and does not take this method."),
    "body_too_slow": ErrorCode(408, "The body did not arrive in time."),
    "job_is_final": ErrorCode(409, "The job has ended; it cannot be canceled any more."),
    "idempotency_conflict": ErrorCode(409, "The Idempotency-Key was used with another body."),
    "link_expired": ErrorCode(410, "The signed link was right and has expired; the job has a fresh one."),
    "body_too_large": ErrorCode(413, "The body is larger than the server takes."),
    "unsupported_media_type": ErrorCode(415, "The body is not declared as `application/json`."),
    "range_not_satisfiable": ErrorCode(416, "The range lies outside the file."),
    "untrusted_host": ErrorCode(421, "Without API keys, the server is reached by names alone that it knows."),
    "invalid_request": ErrorCode(422, "Several things are wrong; `errors` lists each with its own code."),
    "invalid_field": ErrorCode(422, "A field, parameter or header has the wrong type or form."),
    "missing_field": ErrorCode(422, "A field that is needed is not there."),
    "unknown_field": ErrorCode(422, "There is no such field or parameter."),
    "prompt_empty": ErrorCode(422, "The prompt has nothing in it."),
    "prompt_too_long": ErrorCode(422, "The prompt or negative prompt is too long."),
    "size_out_of_range": ErrorCode(422, "Width or height is more or less than the model draws."),
    "size_off_grid": ErrorCode(422, "Width or height is not a multiple of the model's grid; the nearest is named."),
    "image_too_large": ErrorCode(422, "Width times height is more than the model draws."),
    "steps_out_of_range": ErrorCode(422, "More or fewer steps than the model takes."),
    "guidance_scale_out_of_range": ErrorCode(422, "A guidance scale outside the model's bounds."),
    "n_out_of_range": ErrorCode(422, "More images than one job may have, or none."),
    "seed_out_of_range": ErrorCode(422, "A seed outside 0 to 4294967295."),
    "preview_every_out_of_range": ErrorCode(422, "Previews every so many steps: 0 to 1000."),
    "output_quality_out_of_range": ErrorCode(422, "A quality of the file outside 1 to 100."),
    "output_quality_unsupported": ErrorCode(422, "A quality for a format that has no loss."),
    "deadline_s_out_of_range": ErrorCode(422, "A deadline of less than 5 or more than 604800 seconds."),
    "unknown_scheduler": ErrorCode(422, "The model has no such scheduler; its own are listed."),
    "negative_prompt_unsupported": ErrorCode(422, "The model takes no negative prompt."),
    "step_reuse_unsupported": ErrorCode(422, "More step reuse than the model's card allows."),
    "input_reference_invalid": ErrorCode(422, "An input is no upload's id, image's id, `data:` or `https:` URL."),
    "webhook_url_refused": ErrorCode(422, "A webhook's URL that this server does not send to."),
    "input_data_malformed": ErrorCode(422, "A `data:` URL cannot be read."),
    "url_forbidden": ErrorCode(422, "A URL that is not https, or leads to an address that is not public."),
    "url_unreachable": ErrorCode(422, "A URL that leads to nothing, or not in time."),
    "url_too_large": ErrorCode(422, "What the URL leads to has more bytes than the server takes."),
    "url_wrong_type": ErrorCode(422, "What the URL leads to is not declared as a picture."),
    "input_not_a_picture": ErrorCode(422, "The bytes are no PNG, JPEG, WebP or GIF, whatever their type says."),
    "input_damaged": ErrorCode(422, "The picture is cut off or damaged."),
    "input_animated": ErrorCode(422, "The picture is animated."),
    "input_too_large": ErrorCode(422, "The picture's file has more bytes than the server takes."),
    "input_too_many_pixels": ErrorCode(422, "The picture has more pixels, or a longer side, than the server reads."),
    "input_too_small": ErrorCode(422, "A side of the picture has fewer than 8 pixels, or than the model edits."),
    "input_too_narrow": ErrorCode(422, "The picture is longer than the model edits, against its width."),
    "task_unsupported": ErrorCode(422, "The model does not do what the inputs ask for; its tasks are listed."),
    "mask_without_image": ErrorCode(422, "A mask needs the image that it belongs to."),
    "mask_without_alpha": ErrorCode(422, "The mask is to be the image's transparency, and it has none."),
    "input_sizes_differ": ErrorCode(422, "The mask is not as large as the image."),
    "too_many_images": ErrorCode(422, "More images than the model takes for this task."),
    "strength_out_of_range": ErrorCode(422, "A strength of 0 or below, above 1, or of less than one step."),
    "strength_without_image": ErrorCode(422, "A strength, and no image that is redrawn."),
    "unknown_controlnet": ErrorCode(422, "The model has no such ControlNet; its own are listed."),
    "control_incomplete": ErrorCode(422, "A ControlNet without its picture, or the other way round."),
    "control_scale_out_of_range": ErrorCode(422, "A control scale outside 0 to 2."),
    "inputs_conflict": ErrorCode(422, "Inputs that exclude each other."),
    "upscale_out_of_range": ErrorCode(422, "Upscaling by another factor than 2 or 4."),
    "upscaled_too_large": ErrorCode(422, "The image would have more pixels than the server upscales to."),
    "queue_full": ErrorCode(429, "Too many jobs wait; come back after `Retry-After` seconds."),
    "waiting_limit": ErrorCode(429, "Too many jobs of the key wait for the model; come back likewise."),
    "unfinished_limit": ErrorCode(429, "Too many jobs of the key wait or run; come back likewise."),
    "rate_limited": ErrorCode(429, "The key has sent too many requests within a minute; come back likewise."),
    "daily_limit": ErrorCode(429, "The job is more work than the key has left for today (UTC); come back likewise."),
    "internal_error": ErrorCode(500, "A fault of ours; it is in the server's log."),
    "redis_unavailable": ErrorCode(503, "The job store does not answer; try again after `Retry-After` seconds."),
    "job_store_full": ErrorCode(
        503, "The job store has no memory for more jobs; try again after `Retry-After` seconds."
    ),
    "broker_unavailable": ErrorCode(503, "The queue does not answer, and no job was made; try again likewise."),
    "inputs_busy": ErrorCode(503, "Too many pictures are being read; try again likewise."),
    "storage_unavailable": ErrorCode(503, "The image storage does not answer; try again likewise."),
}

HTTP_STATUS: Mapping[str, int] = {code: known.status for code, known in ERROR_CODES.items()}


def with_those_of_keys(codes: Iterable[str]) -> list[str]:
    """Whoever asks for a key can meet one that is no more."""
    return list(
        dict.fromkeys(
            each
            for code in codes
            for each in ((code, "key_expired", "key_revoked") if code == "unauthorized" else (code,))
        )
    )


def errors_table() -> str:
    """For docs/api.md."""
    rows = (f"| {known.status} | `{code}` | {known.meaning} |\n" for code, known in ERROR_CODES.items())
    return "| status | `code` | when |\n|---|---|---|\n" + "".join(rows)
