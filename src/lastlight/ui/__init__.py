"""The look of every screen: layouts, components, filters and the built assets.

A page extends a layout, calls components as `ui.badge(...)`, and never writes inline style or script.
"""
