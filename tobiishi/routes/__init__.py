"""The ways by which people come to add a channel (追加経路), told apart by LINE Login."""
