import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { relative } from 'node:path'
import { coveredRooms, uncoveredRooms } from './coverage-map.ts'

const rooms = coveredRooms.map(room => `src/${room}/`)
const isUncovered = (path: string) => uncoveredRooms.some(room => path.startsWith(`src/${room}/`))

/**
 * Returns one text per line and branch of the covered folders that the last test run did not cover, and one per file
 * that it did not load.
 *
 * @param lcov - The coverage report in the lcov format.
 */
function uncovered(lcov: string): string[] {
  const gaps: string[] = []
  const loaded = new Set<string>()
  let file = ''
  for (const line of lcov.split('\n')) {
    const [key, ...rest] = line.split(':')
    const value = rest.join(':')
    if (key === 'SF') loaded.add((file = relative(process.cwd(), value)))
    if (!rooms.some(room => file.startsWith(room)) || isUncovered(file)) continue
    const parts = value.split(',')
    if (key === 'DA' && parts[1] === '0') gaps.push(`${file}:${parts[0]} is never run`)
    if (key === 'BRDA' && (parts[3] === '0' || parts[3] === '-'))
      gaps.push(`${file}:${parts[0]} has a branch that is never taken`)
  }
  for (const path of globSync(rooms.map(room => `${room}**/*.ts`)))
    if (!loaded.has(path) && !isUncovered(path) && hasCode(path)) gaps.push(`${path} is never loaded`)
  return gaps
}

/** Returns whether a file has more than types, which Node.js never loads. */
function hasCode(path: string): boolean {
  const code = stripTypeScriptTypes(readFileSync(path, 'utf8'))
  return code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim() !== ''
}

const gaps = uncovered(readFileSync('.tap/report/lcov.info', 'utf8'))
for (const gap of gaps) console.error(gap)
if (gaps.length > 0) {
  console.error(
    `${gaps.length} gaps: ${rooms.join(' and ')} must have full coverage of lines and branches, by tests of behaviour`,
  )
  process.exit(1)
}
