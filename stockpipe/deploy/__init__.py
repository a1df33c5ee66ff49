"""From the template and the handlers to a Lambda zip and a CloudFormation stack, and its removal."""
