"""AWS CloudFormation: a synthesized template is checked, then becomes the resources it names."""
