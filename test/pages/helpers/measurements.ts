import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFiles } from '../../../src/commands/init/project-files.ts'
import { root } from './pages.ts'

type Scripts = Readonly<Record<string, string>>
const scriptsOf = (manifest: string) => (JSON.parse(manifest) as { readonly scripts: Scripts }).scripts
const scripts = scriptsOf(readFileSync(join(root, 'package.json'), 'utf8'))
/** The scripts of a project that `headwaters init` writes. */
const projectScripts = scriptsOf(projectFiles('shop', '0.1.0').get('package.json') as string)

/** A number with a unit of time, size, share or rate, or a factor. */
const number =
  /(?<![\w.])\d[\d,.]*\s?(?:ns|µs|ms|s|seconds?|minutes?|KB|KiB|kB|MB|MiB|GB|GiB|%|times|(?:requests|calls|runs) (?:a|per) second)(?![\w-])|\b0\.\d{2}\b|\b[1-9]\.\d{2}\b/

/** Words of a sentence that reports a measurement, and not a default, a limit or a calculation. */
const reports =
  /\b(?:measured|measurements?|benchmarks?|profiles?|cost|costs|cheaper|faster|slower|sav(?:ed|es)(?= \d)|took|grew|shrank|CPU)\b/i

/** Units that no option and no limit has. */
const fine = /\d\s?(?:µs|ns)\b/

/** The marks of a worked example: its numbers follow from numbers that it states. */
const isExample = /\bexamples?\b|[=·×≈]/i

/** Limits and defaults: `name` (100 ms), at most 5 %, from 1 µs to an hour. */
const limits =
  /`[^`]+` \(\d[^)]*\)|\b(?:at most|at least|more than|less than) \d[\d,.]* ?\S+|\bfrom \d[\d,.]* ?\S+ to\b/gi

/** The commands that print measurements. */
const command = /`(?:npm (?:run |test)|node bench\/|node tools\/|headwaters (?:load|run))[^`]*`/g

/** Returns the scripts and files in a text that do not exist. A page that creates a project may use its scripts. */
export function missingCommands(text: string): string[] {
  const known = text.includes('headwaters init') ? { ...scripts, ...projectScripts } : scripts
  return [
    ...Array.from(text.matchAll(/\bnpm run (?:-s |--silent )?([a-z][\w:-]*)/g), ([, name = '']) => name).filter(
      name => !(name in known),
    ),
    ...Array.from(text.matchAll(/\bnode ((?:bench|tools|src)\/[\w./-]+)/g), ([, file = '']) => file).filter(
      file => !existsSync(join(root, file)),
    ),
  ]
}

/**
 * Returns the sentences of a page that report a measurement in a section that names no command. A section ends at the
 * next heading of any level. A sentence reports a measurement when it has a number with a unit and a word such as
 * "measured", "costs" or "faster", or a number in µs or ns. Worked examples, which have that word or an equation,
 * limits and defaults are not measurements.
 */
export function unprintedMeasurements(page: string): string[] {
  const prose = page.replaceAll(/^( *)(`{3,}|~{3,})[^]*?^\1\2 *$/gm, '').replaceAll(/<!--[^]*?-->/g, '')
  return prose.split(/^(?=#+ )/m).flatMap(section => {
    if (section.match(command) !== null) return []
    return section
      .split(/\n\s*\n|\n(?=\s*[-*|]|\s*\d+\. )/)
      .filter(paragraph => !isExample.test(paragraph))
      .flatMap(paragraph => paragraph.replaceAll(/\s+/g, ' ').split(/(?<=[.:;]) (?=[A-Z`[])/))
      .filter(sentence => {
        const rest = sentence.replaceAll(limits, '')
        return number.test(rest) && (reports.test(rest) || fine.test(rest))
      })
  })
}
