# SPDX-License-Identifier: Apache-2.0
# Nothing is asked of AWS: the provider is mocked (Terraform ≥ 1.7, OpenTofu ≥ 1.8).
mock_provider "aws" {
  mock_data "aws_ami" {
    defaults = { id = "ami-0123456789abcdef0" }
  }
}

variables {
  allowed_cidr = "203.0.113.7/32"
  state_dir    = "/nonexistent/lab"
}

run "hosts_are_closed_and_encrypted" {
  command = plan

  assert {
    condition     = join(" ", sort(keys(aws_instance.host))) == "debian12 debian13"
    error_message = "one instance per host"
  }
  assert {
    condition     = alltrue([for rule in aws_security_group.lab.ingress : tolist(rule.cidr_blocks) == tolist(["203.0.113.7/32"]) && rule.from_port == 22 && rule.to_port == 22]) && length(aws_security_group.lab.ingress) == 1
    error_message = "only SSH, only from the given network"
  }
  assert {
    condition     = alltrue([for host in aws_instance.host : host.metadata_options[0].http_tokens == "required"])
    error_message = "IMDSv2 is required"
  }
  assert {
    condition     = alltrue([for host in aws_instance.host : host.root_block_device[0].encrypted])
    error_message = "disks are encrypted"
  }
  assert {
    condition     = alltrue([for name, host in aws_instance.host : host.tags["Name"] == "auditpack-lab-${name}" && host.tags["Lab"] == "auditpack-lab"])
    error_message = "tags say whose the hosts are"
  }
  assert {
    condition     = data.aws_ami.debian["debian12-amd64"].owners == tolist(["136693071363"])
    error_message = "images come from Debian's account"
  }
}

run "instance_types_follow_sizes" {
  command = plan
  variables {
    hosts = {
      small = { distro = "debian12" }
      big   = { distro = "debian13", memory = 4096, cpus = 4 }
      arm   = { distro = "debian13", memory = 2048, arch = "arm64" }
    }
    tags = { Owner = "me" }
  }

  assert {
    condition     = { for name, host in aws_instance.host : name => host.instance_type } == { small = "t3.micro", big = "t3.xlarge", arm = "t4g.small" }
    error_message = "types: ${jsonencode({ for name, host in aws_instance.host : name => host.instance_type })}"
  }
  assert {
    condition     = join(" ", sort(keys(data.aws_ami.debian))) == "debian12-amd64 debian13-amd64 debian13-arm64"
    error_message = "an image is looked up per distro and architecture"
  }
  assert {
    condition     = aws_instance.host["arm"].tags["Owner"] == "me"
    error_message = "own tags are added"
  }
}

run "given_image" {
  command = plan
  variables {
    image = "ami-0aaaaaaaaaaaaaaaa"
  }

  assert {
    condition     = length(data.aws_ami.debian) == 0 && aws_instance.host["debian12"].ami == "ami-0aaaaaaaaaaaaaaaa"
    error_message = "a given AMI is used as it is"
  }
}

run "same_outputs_as_the_local_lab" {
  command = plan

  assert {
    condition     = output.inventory.lab.hosts["debian12"].ansible_user == "root" && output.inventory.lab.hosts["debian12"].ansible_port == 22 && output.hosts["debian13"].distro == "debian13"
    error_message = "inventory and hosts as in labs/local"
  }
}

run "open_to_the_world" {
  command = plan
  variables {
    allowed_cidr = "0.0.0.0/0"
  }
  expect_failures = [var.allowed_cidr]
}

run "not_a_network" {
  command = plan
  variables {
    allowed_cidr = "everyone"
  }
  expect_failures = [var.allowed_cidr]
}

run "bad_ami" {
  command = plan
  variables {
    image = "debian.qcow2"
  }
  expect_failures = [var.image]
}

run "no_such_debian_image" {
  command = plan
  variables {
    hosts = { a = { distro = "plan9" } }
  }
  expect_failures = [var.hosts]
}
