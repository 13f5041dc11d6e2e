"""Pure functions of Data: ranges that people name, lists that they paste."""
