"""The page: what happens to an `Answer` between `Assistant.stream` and a person's screen.

Pure, values to text: `inert` -> `evidence` -> `marks`, `render`; `exporting`, `browse`, `map`, `batch_view`.
What people do, without Gradio: `chat`, `actions`, `conversations`, `feedback`, `batch_run`, `uploads`, over
what they share in `desk` (`library`: collections and models; `line`: who writes next).
Gradio: `page` places a tab per module (`*_tab`); `server` mounts it behind `guard`.
"""
