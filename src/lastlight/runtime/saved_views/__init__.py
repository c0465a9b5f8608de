"""Saved views: the filters, search and order of a list under a name, for the person who saved them."""

from lastlight.runtime.saved_views.actions import ViewIn, ViewOut, keep_view, query_text, remove_view, views_of

__all__ = ["ViewIn", "ViewOut", "keep_view", "query_text", "remove_view", "views_of"]
