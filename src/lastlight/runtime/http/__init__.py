"""The edge: operations declared once, requests read strictly, answers and problems written one way."""

from lastlight.runtime.http.decode import checked
from lastlight.runtime.http.operation import Input, Operation, also_at, delete, get, page, page_post, patch, post, put
from lastlight.runtime.http.reply import Cookie, Download, Form, Redirect, Reply, RequestInfo, View

__all__ = [
    "Cookie",
    "Download",
    "Form",
    "Input",
    "Operation",
    "Redirect",
    "Reply",
    "RequestInfo",
    "View",
    "also_at",
    "checked",
    "delete",
    "get",
    "page",
    "page_post",
    "patch",
    "post",
    "put",
]
