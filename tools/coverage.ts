import { readFileSync } from 'node:fs'

/** The folders in which the tests must cover every line and every branch. */
const rooms = ['src/fanout/', 'src/upstream/', 'src/batch/', 'src/kept/', 'src/explain/']

/**
 * Returns one text per line and branch of those folders that the last test run did not cover.
 *
 * @param lcov - The coverage report in the lcov format.
 */
function uncovered(lcov: string): string[] {
  const gaps: string[] = []
  let file = ''
  for (const line of lcov.split('\n')) {
    const [key, ...rest] = line.split(':')
    const value = rest.join(':')
    if (key === 'SF') file = value
    if (!rooms.some(room => file.includes(room))) continue
    const parts = value.split(',')
    if (key === 'DA' && parts[1] === '0') gaps.push(`${file}:${parts[0]} is never run`)
    if (key === 'BRDA' && (parts[3] === '0' || parts[3] === '-'))
      gaps.push(`${file}:${parts[0]} has a branch that is never taken`)
  }
  return gaps
}

const gaps = uncovered(readFileSync('.tap/report/lcov.info', 'utf8'))
for (const gap of gaps) console.error(gap)
if (gaps.length > 0) {
  console.error(
    `${gaps.length} gaps: ${rooms.join(' and ')} must have full coverage of lines and branches, by tests of behaviour`,
  )
  process.exit(1)
}
