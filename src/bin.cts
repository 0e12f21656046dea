#!/usr/bin/env node
// The command of the package. It is CommonJS with old syntax, so that an old Node.js can run the check of its version.
// The other modules cause a syntax error in an old Node.js, so they are loaded after the check.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error('Headwaters needs Node.js 24 or newer, and this is Node.js ' + process.versions.node)
  process.exitCode = 1
} else void import('./cli.ts')
