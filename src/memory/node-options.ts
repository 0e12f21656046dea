/**
 * Splits `NODE_OPTIONS` as Node.js does: at spaces that are not between double quotes. Between double quotes a
 * backslash escapes the next character (`ParseNodeOptionsEnvVar` in src/node_options.cc).
 *
 * @example
 * splitNodeOptions('"--max-old-space-size=256" --trace-gc') // ['--max-old-space-size=256', '--trace-gc']
 */
export function splitNodeOptions(text: string): string[] {
  const options: string[] = []
  let option: string | undefined
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\' && isQuoted) {
      option = (option ?? '') + text.charAt(++at)
    } else if (character === ' ' && !isQuoted) {
      if (option !== undefined) options.push(option)
      option = undefined
    } else if (character === '"') {
      isQuoted = !isQuoted
    } else {
      option = (option ?? '') + character
    }
  }
  return option === undefined ? options : [...options, option]
}
