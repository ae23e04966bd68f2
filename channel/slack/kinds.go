package slack

import "strings"

// isEvent reports whether the Events API, or the older streams that share its
// words, know an event of this type (docs.slack.dev/reference/events). Families
// that only tell how a workspace is run count as known as a whole.
func isEvent(kind string) bool {
	switch kind {
	case "message", "message_metadata_posted", "message_metadata_updated", "message_metadata_deleted",
		"app_mention", "app_deleted", "app_home_opened", "app_installed", "app_rate_limited", "app_requested",
		"app_uninstalled", "app_uninstalled_team", "app_context_changed",
		"accounts_changed", "commands_changed", "email_domain_changed", "emoji_changed", "hello", "goodbye",
		"bot_added", "bot_changed", "call_rejected", "entity_details_requested", "entity_comments_requested",
		"function_executed", "invite_requested", "link_shared", "manual_presence_change", "pref_change",
		"presence_change", "presence_query", "presence_sub", "reaction_added", "reaction_removed", "reconnect_url",
		"member_joined_channel", "member_left_channel", "tokens_revoked", "scope_granted", "scope_denied",
		"resources_added", "resources_removed", "external_org_migration_started", "external_org_migration_finished":
		return true
	}
	for _, family := range [...]string{
		"agent_", "assistant_", "canvas_", "channel_", "dnd_updated", "file_", "grid_migration_", "group_", "huddle_",
		"im_", "list_", "mpim_", "pin_", "shared_channel_", "star_", "subteam_", "team_", "user_", "workflow_",
	} {
		if strings.HasPrefix(kind, family) {
			return true
		}
	}
	return false
}

// isQuiet reports whether a message of this subtype only tells what happened in
// a channel, and nobody said anything.
func isQuiet(subtype string) bool {
	switch subtype {
	case "assistant_app_thread", "document_mention", "ekm_access_denied", "emoji_changed", "file_comment",
		"file_mention", "huddle_thread", "joiner_notification", "joiner_notification_for_inviter",
		"message_replied", "pinned_item", "unpinned_item", "reminder_add", "reminder_delete", "share_shortcut",
		"tabbed_canvas_updated", "tombstone", "app_conversation_join", "app_conversation_leave":
		return true
	}
	for _, family := range [...]string{"bot_", "canvas_", "channel_", "file_", "group_", "huddle_", "sh_room_"} {
		if strings.HasPrefix(subtype, family) {
			return true
		}
	}
	return false
}

// isInteraction reports whether Slack tells of an interaction of this type
// (docs.slack.dev/reference/interaction-payloads).
func isInteraction(kind string) bool {
	switch kind {
	case "block_actions", "block_suggestion", "view_submission", "view_closed", "shortcut", "message_action",
		"interactive_message", "dialog_submission", "dialog_cancellation", "dialog_suggestion",
		"workflow_step_edit":
		return true
	}
	return false
}
