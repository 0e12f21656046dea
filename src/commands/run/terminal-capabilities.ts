/** The output features that a terminal supports. */
export interface TerminalCapabilities {
  readonly color: boolean
  /** True if lines may be drawn with characters beyond ASCII. */
  readonly unicode: boolean
}

/** Returns the capabilities of the terminal according to the environment variables. */
export function terminalCapabilities(): TerminalCapabilities {
  const { NO_COLOR: noColor, TERM: term, LC_ALL: all, LC_CTYPE: type, LANG: language } = process.env
  const locale = [all, type, language].find(value => value !== undefined && value !== '')
  return {
    color: noColor === undefined || noColor === '',
    unicode: term !== 'linux' && (locale === undefined || /utf-?8/i.test(locale)),
  }
}

/** Returns true if stdout and stderr are terminals that support cursor movement. */
export function isTerminal(): boolean {
  const { stdout, stderr, env } = process
  return stdout.isTTY && stderr.isTTY && env['TERM'] !== 'dumb'
}
