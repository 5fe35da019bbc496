"""Answers as the documentation shows them. A test checks each against the shape it is an example of."""

from typing import Any

JOB_ID = "0660d9ef348c3f3f2f215f6d81a1"
BASE = "http://127.0.0.1:8000"

SIGNED: dict[str, Any] = {
    "url": f"{BASE}/files/jobs/{JOB_ID}/0.png?expires=1795342597&signature=4n4zhM1tu8slTzL1agBLJWW8QvYHHKh9H3qloKRgNhA",
    "expires_at": "2026-11-22T10:16:37Z",
    "width": 128,
    "height": 128,
    "bytes": 9713,
    "content_type": "image/png",
}

JOB: dict[str, Any] = {
    "id": JOB_ID,
    "status": "succeeded",
    "model": "minilab",
    "created_at": "2026-11-22T09:16:37.633Z",
    "started_at": "2026-11-22T09:16:37.641Z",
    "finished_at": "2026-11-22T09:16:38.412Z",
    "queue_position": None,
    "eta_s": None,
    "notice": None,
    "progress": {"step": 20, "steps": 20},
    "attempt": 1,
    "timings": {"queued_s": 0.008, "run_s": 0.771},
    "seed": 7,
    "request": {
        "model": "minilab",
        "prompt": "a red circle on a white background",
        "negative_prompt": None,
        "width": 128,
        "height": 128,
        "steps": 20,
        "guidance_scale": 2.0,
        "seed": 7,
        "n": 1,
        "scheduler": "dpmpp_2m",
        "output_format": "png",
        "output_quality": None,
        "priority": "interactive",
        "preview_every": 0,
        "step_reuse": "off",
        "deadline_s": None,
        "task": "text-to-image",
        "image": [],
        "mask": None,
        "strength": None,
        "controlnet": None,
        "control_image": None,
        "control_scale": None,
        "fit": "crop",
        "upscale": None,
    },
    "inputs": [],
    "images": [
        SIGNED
        | {
            "id": f"{JOB_ID}-0",
            "seed": 7,
            "sha256": "d742af066a09a73bb4cc041a2359afef0c4dfd19a9b4ea1a5b1f3a7d4ce3b8f1",
            "thumbnail": None,
        }
    ],
    "upscale_job": None,
    "error": None,
    "links": {
        "self": f"{BASE}/jobs/{JOB_ID}",
        "events": f"{BASE}/jobs/{JOB_ID}/events",
        "cancel": f"{BASE}/jobs/{JOB_ID}/cancel",
    },
}

# What POST /generate answers: the job has just been put in line.
QUEUED_JOB: dict[str, Any] = JOB | {
    "status": "queued",
    "started_at": None,
    "finished_at": None,
    "queue_position": 2,
    "eta_s": 1.4,
    "progress": None,
    "attempt": 0,
    "timings": {"queued_s": None, "run_s": None},
    "images": [],
}

UPLOAD: dict[str, Any] = {
    "id": "upl_5f0c2b1e9a7d4c38b6e1f203",
    "sha256": "d742af066a09a73bb4cc041a2359afef0c4dfd19a9b4ea1a5b1f3a7d4ce3b8f1",
    "bytes": 48213,
    "width": 640,
    "height": 480,
    "has_alpha": False,
    "expires_at": "2026-11-23T09:16:37Z",
}

JOB_PAGE: dict[str, Any] = {"jobs": [JOB], "next_cursor": JOB_ID}

MODEL_LIST: dict[str, Any] = {
    "models": [
        {
            "id": "minilab",
            "title": "Minilab",
            "summary": "Small bundled model for trying things out.",
            "license": "Apache-2.0",
            "is_default": True,
            "size": {"width": 128, "height": 128, "min": 64, "max": 256, "multiple_of": 16, "max_pixels": 65536},
            "steps": {"default": 20, "min": 1, "max": 100},
            "guidance_scale": {"default": 2.0, "min": 0.0, "max": 15.0},
            "schedulers": ["dpmpp_2m", "euler"],
            "scheduler": "dpmpp_2m",
            "negative_prompt": True,
            "tasks": ["text-to-image", "image-to-image", "inpainting"],
            "max_images": 1,
            "controlnets": [],
            "step_reuse": {"default": "off", "max": "high"},
            "lanes": 1,
        }
    ],
    "max_images_per_job": 8,
    "max_prompt_chars": 4000,
    "upscales": [2, 4],
}

OPERATIONS: dict[str, Any] = {
    "at": "2026-11-22T09:16:40.118Z",
    "lines": [
        {
            "model": "minilab",
            "interactive": 3,
            "bulk": 0,
            "oldest_at": "2026-11-22T09:16:37.633Z",
            "eta_s": 1.4,
            "lanes": 32,
        }
    ],
    "workers": [
        {
            "name": "gpu@node-1",
            "kind": "gpu",
            "device": "cuda",
            "lanes": 32,
            "models": ["minilab"],
            "memory_bytes": 1_503_238_553,
            "images_per_minute": 84,
        }
    ],
    "running": [
        {
            "id": JOB_ID,
            "key": "me",
            "model": "minilab",
            "worker": "gpu@node-1",
            "attempt": 1,
            "started_at": "2026-11-22T09:16:37.641Z",
            "step": 7,
            "steps": 20,
        }
    ],
    "dead_letters": [],
    "keys": [
        {
            "name": "me",
            "last_used_at": "2026-11-22T09:16:37Z",
            "is_operator": True,
            "jobs_today": 12,
            "megapixel_steps_today": 3.93216,
            "daily_megapixel_steps": 50_000,
        }
    ],
    "webhooks_owed": 1,
    "webhooks": [
        {
            "job": JOB_ID,
            "event": "succeeded",
            "host": "shop.example",
            "tries": 1,
            "last": "503",
            "due_at": "2026-11-22T09:21:37Z",
        }
    ],
    "flower_url": None,
}

USAGE: dict[str, Any] = {
    "key": "acme",
    "limits": {"per_minute": 60, "waiting": 1000, "unfinished": None, "daily_megapixel_steps": 50000.0},
    "days": [
        {
            "jobs": 12,
            "megapixel_steps": 3.93216,
            "date": "2026-01-15",
            "models": {"minilab": {"jobs": 12, "megapixel_steps": 3.93216}},
        }
    ],
}

WEBHOOK_LOG: dict[str, Any] = {
    "webhooks": [
        {
            "id": f"msg_{JOB_ID}_succeeded",
            "event": "succeeded",
            "state": "delivered",
            "at": "2026-11-22T09:16:37Z",
            "tries": [{"at": "2026-11-22T09:16:37Z", "status": 204, "reason": "", "seconds": 0.041}],
        }
    ]
}
WEBHOOK_SECRET: dict[str, Any] = {"secret": "whsec_" + "c2VjcmV0" * 5 + "c2VjcmU=", "previous": None}
