import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Returns the test files with exact bounds: they import `test/helpers/timing.ts`, directly or through another file. */
export function timingFiles(root: string): string[] {
  const paths = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => join('test', path))
  const importers = new Map<string, string[]>()
  for (const path of paths)
    for (const [, specifier = ''] of readFileSync(join(root, path), 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
      const target = normalize(join(dirname(path), specifier))
      importers.set(target, [...(importers.get(target) ?? []), path])
    }
  const reached = new Set([join('test', 'helpers', 'timing.ts')])
  for (const path of reached) for (const importer of importers.get(path) ?? []) reached.add(importer)
  return [...reached].filter(path => path.endsWith('.test.ts')).sort()
}
