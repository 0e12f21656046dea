import { spawnSync } from 'node:child_process'

/**
 * Returns why a test that needs a program is skipped, or `false`. Where every test must run, a missing program is a
 * failure.
 *
 * @param program - The program.
 * @param args - Arguments with which it exits with 0.
 * @param debianPackage - The Debian package that has it.
 */
export function programMissing(program: string, args: readonly string[], debianPackage: string): string | false {
  if (spawnSync(program, args).status === 0) return false
  const reason = `${program} is not installed (Debian: apt-get install ${debianPackage})`
  if (process.env['HEADWATERS_TEST_ALL'] === '1')
    throw new Error(`HEADWATERS_TEST_ALL=1 allows no skipped test, and ${reason}`)
  return reason
}
