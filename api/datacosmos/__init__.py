"""The catalogue as DataCosmos has it: items whose assets come first, prices, projects; its own words for searches."""
