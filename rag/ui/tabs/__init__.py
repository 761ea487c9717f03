"""The page's parts, made of Gradio's components."""
