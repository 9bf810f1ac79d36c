"""The shapes of model that are calibrated: together every family and every treatment."""

from benchmarks.sbc.shape import Shape
from benchmarks.sbc.shapes import categories, continuous, groups, outcomes

SHAPES: dict[str, Shape] = {
    shape.name: shape for shape in (*continuous.SHAPES, *categories.SHAPES, *groups.SHAPES, *outcomes.SHAPES)
}
