"""The page: what happens to an `Answer` between `Assistant.stream` and a person's screen.

`state/` is what people do and what is kept of it, without HTML or Gradio. `html/` makes text of its values.
`chat` and `actions` do what people ask for over what all share in `app_state`; `export` makes files.
`tabs/` are made of Gradio's components, `page` places them, `server` mounts the page behind `policy`.
"""
