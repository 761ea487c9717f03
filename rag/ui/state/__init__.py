"""What people do on the page, without Gradio."""
