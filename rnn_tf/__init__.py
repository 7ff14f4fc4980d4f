"""What the experiments share: the recipe, the results, the devices, the data."""
