"""Pictures of graphs, to be read in this order: `diagram` (what is drawn), `layout` (where),
`svg` and `text` (how), `picture` (what users get). Loaded when something is drawn.
"""

from autograd.drawing.picture import Drawing, draw

__all__ = ["Drawing", "draw"]
