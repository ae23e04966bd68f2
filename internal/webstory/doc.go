// Package webstory tells the web chat's story in a real browser.
//
// Its tests drive Chromium against the chat's own handler with a scripted bot
// behind it, by keyboard, as a person would. They prove what no request table
// can: that nothing is stored before the first message, that the page obeys its
// own content security policy, that texts stay inert, that an answer appears
// without a reload and survives a broken connection, and that a small screen
// shows it all.
//
// The package holds tests only. They skip where there is no Chromium, and fail
// instead where CI is set. SOTTO_SCREENSHOT_DIR keeps pictures of the page.
package webstory
