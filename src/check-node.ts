// Each entry point imports this file first, so that it runs before modules that use features of a newer Node.js.
const { node } = process.versions
if (Number(node.split('.')[0]) < 24)
  throw new Error(`Headwaters needs Node.js 24 or newer, and this is Node.js ${node}`)

export {}
