/** In which styles a string can be written so that it reads back the same. */
export interface ScalarFacts {
  plainAllowed: boolean;
  singleQuotedAllowed: boolean;
  blockAllowed: boolean;
}

/** Follows the rules by which libyaml picks a style in block context. */
export function analyzeScalar(text: string): ScalarFacts {
  if (text === '') return { plainAllowed: true, singleQuotedAllowed: true, blockAllowed: false };
  const special = /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(text);
  const breaks = /[\n\r\u0085\u2028\u2029]/.test(text);
  const leading = /^[ \n\r\u0085\u2028\u2029]/.test(text);
  const trailingSpace = text.endsWith(' ');
  const trailing = trailingSpace || /[\n\r\u0085\u2028\u2029]$/.test(text);
  const breakThenSpace = /[\n\r\u0085\u2028\u2029] /.test(text);
  const spaceThenBreak = / [\n\r\u0085\u2028\u2029]/.test(text);
  const plainAllowed =
    !leading && !trailing && !breakThenSpace && !spaceThenBreak && !special && !breaks && !hasIndicators(text);
  return {
    plainAllowed,
    singleQuotedAllowed: !breakThenSpace && !spaceThenBreak && !special,
    blockAllowed: !trailingSpace && !spaceThenBreak && !special,
  };
}

/** Characters that would start something else, or end the scalar. */
function hasIndicators(text: string): boolean {
  return (
    /^(?:---|\.\.\.)/.test(text) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[?:-](?:[ \t]|$)/.test(text) ||
    /.:(?:[ \t]|$)/s.test(text) ||
    /[ \t\n\r\u0085\u2028\u2029]#/.test(text)
  );
}
