// The compiler does not copy the style sheets of the dashboard to dist.
const { copyFileSync, readdirSync } = require('node:fs')
const { join } = require('node:path')

const folder = join(__dirname, '..', 'src', 'dashboard')
for (const file of readdirSync(folder, { recursive: true }))
  if (file.endsWith('.css')) copyFileSync(join(folder, file), join(__dirname, '..', 'dist', 'dashboard', file))
