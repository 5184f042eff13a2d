"""A layer for TracingLayerArn on a local AWS, in place of that of AWS: its spans go to a file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import opentelemetry.sdk

from dev.observability import span_file

NAME = "els_span_file"
PACKAGES = Path(opentelemetry.sdk.__path__[0]).parents[1]
# https://packaging.python.org/en/latest/specifications/entry-points/
METADATA = {
    "METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1\n",
    "entry_points.txt": f"[opentelemetry_tracer_provider]\n{NAME} = {NAME}:provider\n",
}


def variables(spans: Path) -> dict[str, str]:
    """Return what functions with the layer must find in their environment."""
    return {"OTEL_PYTHON_TRACER_PROVIDER": NAME, "ELS_SPAN_FILE": str(spans)}


def content() -> bytes:
    """Return the layer as a ZIP file: OpenTelemetry's API and SDK, and the provider."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as layer:
        for path in sorted(PACKAGES.glob("opentelemetry*/**/*")):
            if path.is_file() and "__pycache__" not in path.parts:
                layer.write(path, Path("python") / path.relative_to(PACKAGES))
        layer.write(span_file.__file__, f"python/{NAME}.py")
        for name, text in METADATA.items():
            layer.writestr(f"python/{NAME}-1.dist-info/{name}", text)
    return packed.getvalue()


def publish(functions: Any, name: str) -> str:
    """Publish the layer with a client of Lambda, and return its ARN."""
    answer = functions.publish_layer_version(
        LayerName=name, Content={"ZipFile": content()}, CompatibleRuntimes=["python3.13"]
    )
    return str(answer["LayerVersionArn"])
