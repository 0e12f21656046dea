// CommonJS and old syntax: it must run, and speak plainly, on the Node that is too old.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    'Headwaters needs Node.js 24 or newer, and this is ' +
      process.version +
      '. `npm ci` brings one along on Linux and Windows; elsewhere install it from https://nodejs.org',
  )
  process.exit(1)
}
