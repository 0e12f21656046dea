#!/usr/bin/env node
// The command of the package. It is CommonJS in old syntax: a Node.js that is too old must be able to run it. The modules
// of the command use features that such a Node.js refuses with a syntax error, so they are loaded after the check.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error('Headwaters needs Node.js 24 or newer, and this is Node.js ' + process.versions.node)
  process.exitCode = 1
} else void import('./cli.ts')
