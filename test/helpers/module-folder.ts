import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { definitionsFolder } from './definitions-folder.ts'

/** A file of a generated folder: `defs/*.ts` are loaded by name, `lib/*.ts` and `lib/*.js` (CommonJS) by imports. */
export interface ModuleFile {
  readonly version: number
  readonly imports: readonly string[]
  readonly isBroken: boolean
}

export type ModuleFiles = ReadonlyMap<string, ModuleFile>

/** The modules that were evaluated, by the path of their files. */
const probe: { evaluated: string[]; readonly seen: Map<string, () => string> } = { evaluated: [], seen: new Map() }
Object.assign(globalThis, { moduleProbe: probe })

/** Returns the paths of the modules that were evaluated since the last call. */
export function evaluatedModules(): string[] {
  const { evaluated } = probe
  probe.evaluated = []
  return evaluated
}

/** Writes the files. Returns the functions that change the folder and read its modules. */
export function moduleFolder(t: Test, files: ModuleFiles) {
  const { path, write } = definitionsFolder(t, { 'package.json': '{}', 'defs/none.ts': '' })
  const writeModule = (name: string, file: ModuleFile) => write(name, textOf(name, file))
  for (const [name, file] of files) writeModule(name, file)
  return {
    path,
    writeModule,
    removeModule: (name: string) => rmSync(join(path, name)),
    /** Returns the version of a module, and those of all modules that it imports, as they are in its memory. */
    seenBy: (name: string) => probe.seen.get(join(path, name))?.(),
  }
}

function textOf(name: string, { version, imports, isBroken }: ModuleFile): string {
  if (isBroken) return `const = ${version}`
  // The text of each version has another length, because the clock of a file system can be coarse.
  const padding = `// ${'x'.repeat(version)}`
  return name.endsWith('.js') ? commonText(version, imports, padding) : moduleText(name, version, imports, padding)
}

const seeing = (self: string, count: number) =>
  `(visited = []) => visited.includes(${self}) ? '' : [version, ${Array.from(
    { length: count },
    (_, index) => `m${index}.seen([...visited, ${self}])`,
  ).join(', ')}].join(' ')`

const note = (self: string) => `globalThis.moduleProbe.evaluated.push(${self})`

function commonText(version: number, imports: readonly string[], padding: string): string {
  return `${padding}
const version = exports.version = ${version}
exports.seen = ${seeing('__filename', imports.length)}
${note('__filename')}
${imports.map((file, index) => `const m${index} = require('../${file}')`).join('\n')}
globalThis.moduleProbe.seen.set(__filename, exports.seen)
`
}

function moduleText(name: string, version: number, imports: readonly string[], padding: string): string {
  const id = name.replace(/\W+/g, '-')
  const self = 'import.meta.filename'
  return `${padding}
import { aggregate, defineUpstream } from 'headwaters'
import { z } from 'zod'
${imports.map((file, index) => `import * as m${index} from '../${file}'`).join('\n')}
const version = ${version}
export function seen(...given: any[]): string { return (${seeing(self, imports.length)} as any)(...given) }
${note(self)}
;(globalThis as any).moduleProbe.seen.set(${self}, seen)
defineUpstream('up-${id}', { origin: 'http://127.0.0.1:' + (1000 + version) }, {})
export const all: unknown = aggregate('${id}', { url: '/${id}' }).reply(z.object({}), () => ({}))
`.replace('globalThis.moduleProbe.evaluated', '(globalThis as any).moduleProbe.evaluated')
}
