"""What people do on the page: no HTML, no Gradio."""
