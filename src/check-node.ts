// The first import of each entrance, so that it runs before modules that use what an old Node.js does not have.
const { node } = process.versions
if (Number(node.split('.')[0]) < 24)
  throw new Error(`Headwaters needs Node.js 24 or newer, and this is Node.js ${node}`)

export {}
