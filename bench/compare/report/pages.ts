import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartOf } from './chart.ts'
import { markdownOf, ratioTableOf } from './markdown.ts'
import type { Measurement } from '../measure/measure.ts'
import { bracketsText } from './tables.ts'
import { captionOf } from './result.ts'
import type { Result } from './result.ts'

/** The root of the project that contains the pages. */
export const projectRoot = join(import.meta.dirname, '../../..')
/** Markers in a page. The text between them is generated from a result. */
const [begin, end] = ['<!-- bench: written by `npm run bench -- --write` -->', '<!-- /bench -->']

/** Writes the tables and the charts. The targets of another checkout appear only in the tables of bench/README.md. */
export function writePages(result: Result, root = projectRoot): void {
  const own = withoutOther(result.measurement)
  fill(
    join(root, 'bench/README.md'),
    `${captionOf(result)}; in brackets ${bracketsText(result.plan.rounds)}.\n\n${markdownOf(result.measurement)}`,
  )
  fill(join(root, 'README.md'), ratioTableOf(own, [5, 20]))
  for (const scheme of ['light', 'dark'] as const)
    writeFileSync(join(root, `docs/images/bench-${scheme}.svg`), chartOf(own, captionOf(result), scheme))
}

/** Returns a measurement without the targets of another checkout. */
export function withoutOther(measurement: Measurement): Measurement {
  return { ...measurement, targets: measurement.targets.filter(name => !name.startsWith('other')) }
}

function fill(file: string, text: string) {
  writeFileSync(file, filled(readFileSync(file, 'utf8'), text, file))
}

/** Replaces the text between the two markers of a page. */
export function filled(page: string, text: string, name: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${name} lacks the comments '${begin}' and '${end}'`)
  return `${page.slice(0, from + begin.length)}\n\n${text.trimEnd()}\n\n${page.slice(to)}`
}
