import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartOf } from './chart.ts'
import { markdownOf, ratioTableOf } from './markdown.ts'
import type { Measurement } from '../measure/measure.ts'
import { bracketsText } from './tables.ts'
import { captionOf } from './result.ts'
import type { Result } from './result.ts'

/** The folder of the project, whose pages are written. */
export const projectRoot = join(import.meta.dirname, '../../..')
/** The text of a page between these comments is written from a result. */
const [begin, end] = ['<!-- bench: written by `npm run bench -- --write` -->', '<!-- /bench -->']

/** Writes the tables and the chart of this checkout; another checkout is in the tables only. */
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

/** A measurement without the targets of another checkout. */
export function withoutOther(measurement: Measurement): Measurement {
  return { ...measurement, targets: measurement.targets.filter(name => !name.startsWith('other')) }
}

function fill(file: string, text: string) {
  writeFileSync(file, filled(readFileSync(file, 'utf8'), text, file))
}

/** Puts a text between the two comments of a page, in place of what is there. */
export function filled(page: string, text: string, name: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${name} lacks the comments '${begin}' and '${end}'`)
  return `${page.slice(0, from + begin.length)}\n\n${text.trimEnd()}\n\n${page.slice(to)}`
}
