"""IPython's settings in the browser; tools/lite.py lays them where it looks for them there."""

c.InteractiveShellApp.extensions = ["cnnbp.browser"]
