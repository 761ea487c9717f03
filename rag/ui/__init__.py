"""The chat page: what happens to an `Answer` between `Assistant.stream` and a person's screen.

`inert` -> `evidence` -> `render` turn values into HTML, `conversation` and `chat` hold what was said,
`opening` loads the assistant behind the page, `page` is the layout, `server` the hardened mount.
"""
