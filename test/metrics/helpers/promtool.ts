import { spawnSync } from 'node:child_process'

/** Why promtool cannot be used; with HEADWATERS_TEST_ALL=1 it must be there. */
export function whyNoPromtool(): string | false {
  if (spawnSync('promtool', ['--version']).status === 0) return false
  if (process.env['HEADWATERS_TEST_ALL'] === '1')
    throw new Error('promtool is not installed: apt-get install -y prometheus')
  return 'promtool is not installed, so the text is not checked by it'
}

/** The complaints of `promtool check metrics` about a text; empty if it has none. */
export function promtoolComplaints(text: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  return status === 0 ? `${stdout}${stderr}`.trim() : `exit code ${status}: ${stdout}${stderr}`
}
