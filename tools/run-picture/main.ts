import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pictureDashboard, pictureForDocs } from './dashboard.ts'
import { drawRun } from './draw.ts'
import { recordRun } from './record.ts'

const images = join(import.meta.dirname, '../../docs/images')
const usage = `Usage: npm run picture [-- dashboard [folder]]

Writes the picture of a run to docs/images, for a light page and for a dark page. 'dashboard' writes the pictures of the
dashboard there, and one picture of each of its scenes to the folder, which is by default in the temporary folder.
`

const args = process.argv.slice(2)
const [subject, folder = join(tmpdir(), 'headwaters-dashboard')] = args

if (args.some(arg => arg.startsWith('-'))) {
  process.stdout.write(usage)
} else if (subject === 'dashboard') {
  await pictureForDocs(images)
  await pictureDashboard(folder)
  process.stdout.write(`the scenes of the dashboard are in ${folder}\n`)
} else {
  const run = await recordRun()
  mkdirSync(images, { recursive: true })
  for (const scheme of ['light', 'dark'] as const)
    writeFileSync(join(images, `run-${scheme}.svg`), drawRun(run, scheme))
}
