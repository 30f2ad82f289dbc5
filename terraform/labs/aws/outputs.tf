# SPDX-License-Identifier: Apache-2.0
output "inventory" {
  description = "An object that prints as an Ansible inventory (terraform output -json inventory)."
  value       = module.hosts.inventory
}

output "hosts" {
  description = "Name → address, port, distro, arch, memory, cpus."
  value       = module.hosts.hosts
}

output "ssh" {
  description = "Name → the command line that logs in as root; put another user's name for root."
  value       = module.hosts.ssh
}
