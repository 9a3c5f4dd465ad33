"""Things to move: live controls in a notebook, self-contained elements in the built page.

Nothing is imported here, so that ``import gem_lite.widgets`` asks for no Jupyter:
``from gem_lite.widgets.p_slider import PSlider``.
"""
