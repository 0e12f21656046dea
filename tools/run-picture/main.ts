import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pictureDashboard, pictureForDocs } from './dashboard.ts'
import { drawRun } from './draw.ts'
import { recordRun } from './record.ts'

const images = join(import.meta.dirname, '../../docs/images')
const [subject, folder = join(tmpdir(), 'headwaters-dashboard')] = process.argv.slice(2)

// `npm run picture` writes the picture of a run for the README: one file for a light page and one for a dark page.
// `npm run picture -- dashboard [folder]` writes those of the dashboard, and a picture of each of its scenes to the folder.
if (subject === 'dashboard') {
  await pictureForDocs(images)
  await pictureDashboard(folder)
  process.stdout.write(`the scenes of the dashboard are in ${folder}\n`)
} else {
  const run = await recordRun()
  mkdirSync(images, { recursive: true })
  for (const scheme of ['light', 'dark'] as const)
    writeFileSync(join(images, `run-${scheme}.svg`), drawRun(run, scheme))
}
