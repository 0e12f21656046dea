// This file uses CommonJS and old syntax so that an outdated Node.js can run it and print the error below.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    'Headwaters needs Node.js 24 or newer, and this is ' +
      process.version +
      '. `npm ci` brings one along on Linux and Windows; elsewhere install it from https://nodejs.org',
  )
  process.exit(1)
}
