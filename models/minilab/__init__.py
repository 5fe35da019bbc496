"""The bundled model: its weights, the recipe that makes them, and how well it follows a prompt."""
