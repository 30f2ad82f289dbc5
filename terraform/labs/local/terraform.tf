# SPDX-License-Identifier: Apache-2.0
# Only terraform_data, which is built in: no provider comes from a registry.
terraform {
  required_version = ">= 1.6"
}
