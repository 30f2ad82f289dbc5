# SPDX-License-Identifier: Apache-2.0
variable "hosts" {
  description = "The lab's hosts: name → distro (debian12, debian13), memory in MiB, cpus, arch (amd64, arm64)."
  type = map(object({
    distro = string
    memory = optional(number, 1024)
    cpus   = optional(number, 2)
    arch   = optional(string, "amd64")
  }))
  default = {
    debian12 = { distro = "debian12" }
    debian13 = { distro = "debian13" }
  }

  validation {
    condition     = var.image != "" || alltrue([for host in values(var.hosts) : can(regex("^debian[0-9]+$", host.distro))])
    error_message = "hosts: Debian's own AMIs are used, so distro is debian12 or debian13; give an AMI id (image) for others."
  }
  validation {
    condition     = alltrue([for host in values(var.hosts) : host.memory <= 32768 && host.cpus <= 8])
    error_message = "hosts: at most 32768 MiB and 8 cpus, the largest of the instance types used here."
  }
}

variable "allowed_cidr" {
  description = "The addresses that may open SSH to the hosts, as a CIDR block, like 203.0.113.7/32."
  type        = string

  validation {
    condition     = can(cidrhost(var.allowed_cidr, 0))
    error_message = "allowed_cidr: a CIDR block like 203.0.113.7/32, not '${var.allowed_cidr}'."
  }
  validation {
    condition     = try(tonumber(split("/", var.allowed_cidr)[1]), 0) >= 8
    error_message = "allowed_cidr: ${var.allowed_cidr} is (nearly) the whole Internet; name your own network, /8 at the widest."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: a name like eu-central-1, not '${var.region}'."
  }
}

variable "name" {
  description = "Prefix of everything's name, and the value of the tag Lab."
  type        = string
  default     = "auditpack-lab"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,40}$", var.name))
    error_message = "name: starts with a letter, has only a-z, 0-9 and -."
  }
}

variable "tags" {
  description = "More tags for everything."
  type        = map(string)
  default     = {}
}

variable "image" {
  description = "AMI id to boot; empty: the newest of Debian's own for each host's distro and arch."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(ami-[0-9a-f]{8,17})?$", var.image))
    error_message = "image: an AMI id like ami-0123456789abcdef0, not '${var.image}'."
  }
}

variable "disk_gib" {
  description = "Size of each host's (encrypted) disk in GiB."
  type        = number
  default     = 8

  validation {
    condition     = var.disk_gib >= 8 && var.disk_gib <= 1024
    error_message = "disk_gib: 8 to 1024."
  }
}

variable "subnet_id" {
  description = "Subnet of the hosts, one with public addresses; empty: a subnet of the region's default VPC."
  type        = string
  default     = ""
}

variable "state_dir" {
  description = "Folder of the lab's keys and known_hosts; a relative path counts from the repository's root."
  type        = string
  default     = "build/lab-aws"

  validation {
    condition     = can(regex("^[^\\s'\"]+$", var.state_dir))
    error_message = "state_dir: a path without blanks and quotes."
  }
}

variable "bob_password" {
  description = "Password of bob, the one lab user who has one (for su and sudo; SSH takes keys only)."
  type        = string
  default     = "lab"
}
