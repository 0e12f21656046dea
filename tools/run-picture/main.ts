import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawRun } from './draw.ts'
import { recordRun } from './record.ts'

/** Writes the picture of a run for the README: one file for a light page and one file for a dark page. */
const folder = join(import.meta.dirname, '../../docs/images')
const run = await recordRun()
mkdirSync(folder, { recursive: true })
for (const scheme of ['light', 'dark'] as const) writeFileSync(join(folder, `run-${scheme}.svg`), drawRun(run, scheme))
