// The compiler does not copy the style sheets and the icon of the dashboard to dist.
const { copyFileSync, readdirSync } = require('node:fs')
const { extname, join } = require('node:path')

const folder = join(__dirname, '..', 'src', 'dashboard')
for (const file of readdirSync(folder, { recursive: true }))
  if (['.css', '.svg'].includes(extname(file)))
    copyFileSync(join(folder, file), join(__dirname, '..', 'dist', 'dashboard', file))
