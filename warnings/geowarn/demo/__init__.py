"""The demo: the whole line on embedded defaults and a labelled synthetic storm."""
