/** The folders of `src` in which the tests must cover every line and every branch. */
export const coveredRooms = ['batch', 'bulk', 'http/bulk', 'explain', 'fanout', 'kept', 'upstream']

/** The folders of these in which they need not. The faults of a server are tested in processes of their own. */
export const uncoveredRooms = ['bulk/queue']

const sources = `src/{${coveredRooms.join(',')}}/**/*.ts`

/** The folders of tests that start processes and pages, or test other folders. They run without coverage. */
const uncounted = [
  'bench',
  'commands',
  'dashboard',
  'demo-upstreams',
  'explorer',
  'habits',
  'ops',
  'package',
  'pages',
  'server',
  'types',
  'waterfall',
]
const uncountedTests = new RegExp(`^test/(?:${uncounted.join('|')})/`)

/**
 * Returns the sources whose coverage a test file counts for. tap calls it with each test file. A process with coverage
 * cannot use the compile cache, so tests whose coverage would not count have none.
 *
 * @param file - The path of the test file, relative to the root of the checkout.
 * @returns A glob, or `null` for a test without coverage.
 */
export default function coverageMap(file: string): string | null {
  return uncountedTests.test(file) ? null : sources
}
